"""Files among the data that hold no headlines, recognised by their names, in a folder and in a zip."""

import re
from pathlib import PurePath

_DOCUMENT_NAME = re.compile(
    r"(readme|licen[cs]e|copying|notice|authors|contributors|contributing|changelog|changes|citation|manifest|version"
    r"|todo)([-_ .].*)?",
    re.IGNORECASE,
)
_DOCUMENT_SUFFIX = re.compile(
    r"\.(md|markdown|rst|adoc|pdf|docx?|odt|rtf|pptx?|html?|tex|bib|png|jpe?g|gif|svg|webp|py|ipynb|r|rmd|sh|bat|sql|ya?ml"
    r"|toml|ini|cfg|md5|sha(1|256|512)|asc|sig)",
    re.IGNORECASE,
)
_TEMPORARY = re.compile(r"~\$.*|.*(~|\.(te?mp|part|partial|crdownload|download|swp|bak|lock|crc))", re.IGNORECASE)
_SYSTEM_NAME = re.compile(
    r"thumbs\.db|desktop\.ini|makefile|dockerfile|_success|_(common_)?metadata|dataset_(infos?|dict)\.json|state\.json",
    re.IGNORECASE,
)
SYSTEM_FOLDER = "__MACOSX"


def describe_why(path: PurePath) -> str | None:
    """Why a file is skipped, in a word; None for one that may hold data.

    Args:
        path: Its path within the folder or the zip.
    """
    if path.name.startswith("."):
        return "hidden"
    if _TEMPORARY.fullmatch(path.name):
        return "temporary"
    if _SYSTEM_NAME.fullmatch(path.name) or SYSTEM_FOLDER in path.parts:
        return "system file"
    is_document = path.suffix.lower() in {"", ".txt"} and _DOCUMENT_NAME.fullmatch(path.name)
    return "document" if is_document or _DOCUMENT_SUFFIX.fullmatch(path.suffix) else None
