"""Names of the standard library whose meaning inference relies on."""

from __future__ import annotations

import builtins

DEPTH_MAX = 24

BUILTINS = frozenset(dir(builtins))

ITERABLES = frozenset(
    [
        "list",
        "set",
        "tuple",
        "frozenset",
        "deque",
        "Iterable",
        "Iterator",
        "Sequence",
        "MutableSequence",
        "Collection",
        "Generator",
        "List",
        "Set",
        "Tuple",
        "FrozenSet",
        "Deque",
        "AbstractSet",
        "MutableSet",
        "AsyncIterator",
        "AsyncIterable",
        "AsyncGenerator",
        "Reversible",
        "Container",
        "KeysView",
        "ValuesView",
        "dict",
        "Dict",
        "Mapping",
        "MutableMapping",
        "defaultdict",
        "OrderedDict",
        "DefaultDict",
    ]
)

MAPPINGS = frozenset(
    [
        "dict",
        "Dict",
        "Mapping",
        "MutableMapping",
        "defaultdict",
        "OrderedDict",
        "DefaultDict",
        "ChainMap",
        "Counter",
    ]
)

WRAPPERS = frozenset(
    ["Optional", "Final", "ClassVar", "Required", "NotRequired", "ReadOnly", "Awaitable", "Coroutine"]
)

TRANSPARENT = frozenset(
    [
        "staticmethod",
        "classmethod",
        "abstractmethod",
        "override",
        "final",
        "overload",
        "lru_cache",
        "cache",
        "wraps",
        "no_type_check",
        "asynccontextmanager",
        "contextmanager",
        "atomic",
    ]
)

PROPERTIES = frozenset(
    ["property", "cached_property", "setter", "getter", "deleter", "abstractproperty", "classproperty"]
)

LITERALS = {
    "string": "str",
    "concatenated_string": "str",
    "integer": "int",
    "float": "float",
    "true": "bool",
    "false": "bool",
    "comparison_operator": "bool",
    "not_operator": "bool",
}
