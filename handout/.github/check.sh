#!/usr/bin/env bash
# Print, as Markdown, what `detlab check` says of each notebook that differs from the first commit's.
# Exit status: 0 when all their tasks pass, 1 when one does not or a notebook cannot be read.
set -u
cd "$(dirname "$0")/.."

start=$(git rev-list --max-parents=0 HEAD | tail -n 1)
status=0
begun=0
while IFS= read -r -d '' notebook; do
    begun=1
    if said=$(NO_COLOR=1 detlab check "$notebook" 2>&1); then
        mark='✅'
    else
        mark='❌'
        status=1
    fi
    # Whatever a notebook prints stays text: no line of it ends the block, or is read as Markdown.
    printf '### %s %s\n\n' "$mark" "$notebook"
    printf '%s\n' "$said" | sed 's/^/    /'
    printf '\n'
done < <(git diff -z --name-only --diff-filter=d "$start" HEAD -- '*.ipynb')

if [ "$begun" = 0 ]; then
    printf 'No notebook differs from how it was handed out.\n'
fi
exit "$status"
