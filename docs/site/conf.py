"""What Sphinx must know of the site, which `detgrader site` builds. No page asks a network."""

from pathlib import Path

import detlab
from detgrader.course import Course

project = Course.find().settings.name
extensions = [
    "myst_nb",
    "sphinx.ext.apidoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "detgrader.authoring.pages",
]
html_math_renderer = "mathml"

# Notebooks come with their outputs; what is included begins with a heading of the second level.
nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
suppress_warnings = ["myst.header", "mystnb.unknown_mime_type"]
exclude_patterns = [
    "README.md",  # its parts are in index, teaching and ci
    "api/modules.rst",  # a list of one package
]

# The reference: students' library and the engine of the checks, but no week's own checks.
apidoc_modules = [
    {
        "path": str(Path(detlab.__file__).parent),
        "destination": "api",
        "exclude_patterns": ["**/weeks/week*", "**/cli.py", "**/__main__.py"],
        "separate_modules": True,
        "module_first": True,
        "automodule_options": {"members", "show-inheritance"},
    }
]
autodoc_default_options = {"exclude-members": "set"}  # what matplotlib gives each kind of artist
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
default_role = "code"  # `names` in docstrings
add_module_names = False
napoleon_use_ivar = True
napoleon_custom_sections = ["Source"]

html_theme = "pydata_sphinx_theme"
html_title = project
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_show_copyright = False
html_show_search_summary = False  # it is fetched, which no browser does from a folder
html_domain_indices = False
html_use_index = False
html_context = {"default_mode": "auto"}  # light or dark, as the reader's system
html_theme_options = {
    "navbar_persistent": ["search-button"],
    # Deeper levels get buttons without a name.
    "navigation_depth": 1,
    "secondary_sidebar_items": ["page-toc"],
    "navbar_align": "left",
    "footer_start": [],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
