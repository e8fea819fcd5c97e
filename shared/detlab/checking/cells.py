"""What is taken of cells that a student added to a notebook: definitions."""

import ast
import contextlib

KEPT = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)


def keep_definitions(tree: ast.Module) -> ast.Module:
    """Drop, in place, all statements but definitions of functions, classes and constants."""
    tree.body = [node for node in tree.body if is_definition(node)]
    return tree


def is_definition(node: ast.stmt) -> bool:
    """Say whether a statement only defines something: a function, a class, a constant."""
    if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
        with contextlib.suppress(ValueError, TypeError, RecursionError):
            ast.literal_eval(node.value)
            return True
    return isinstance(node, KEPT)
