"""Cases that are not counted, each with the reason. Only matters of taste, and records that lost their arguments."""

from __future__ import annotations

ROPE = "rope/refactor/"
EXTRACT = ROPE + "extracttest.py::ExtractMethodTest::"
IMPORTS = ROPE + "importutilstest.py::ImportUtilsTest::"

LEFT_OUT: dict[str, str] = {
    EXTRACT
    + "test_extract_method_async_with_simple": "expects async with in a function that is not async: no Python",
    EXTRACT + "test_extract_refactor_containing_async_for_loop_is_supported_after_py38": (
        "expects async for in a function that is not async: no Python"
    ),
    EXTRACT
    + "test_extract_inner_async_function": "expects a parameter that the extracted function does not need",
    **dict.fromkeys(
        (
            IMPORTS + "test_filtered_handle_long_imports",
            IMPORTS + "test_filtered_relative_to_absolute#1",
            IMPORTS + "test_splitting_imports_with_filter",
            IMPORTS + "test_trivial_filtered_expand_stars",
        ),
        "the record lost the function that chooses the imports",
    ),
    "jedi/extract_variable.py::multiline-1": "expects an expression over two lines without parentheses: no Python",
    "jedi/extract_variable.py::mult-add-2": "expects 1*2+3 to become 1*(2+3): another value",
    "pyrefly/invert_boolean_multiple_assignments": "expects that one of two assignments is left as it is",
    "semgrep/autofix/csharp/fix_vardef": "C# is none of our languages",
    "ty/rename/rename_invalid_name": "the record lost the invalid name: it asks for a valid one",
    "ty/rename/rename_non_property_setter_decorator_from_decorated": (
        "expects that the first of two functions of one name keeps it while the decorator that names it changes: NameError"
    ),
}
