"""`graph show`: the graph that agents follow, as Mermaid or as lines."""

from __future__ import annotations

import argparse
from typing import Any


def register(subparsers: Any) -> None:
    graph = subparsers.add_parser("graph", help="draw the graph that agents follow")
    commands = graph.add_subparsers(dest="graph_command", required=True, metavar="COMMAND")
    show = commands.add_parser(
        "show", help="nodes and declared edges", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Draws a graph: the swarm's, or one of your own given as module:name.",
        epilog="examples:\n  forgewright graph show\n  forgewright graph show my_agents.review:graph > review.mmd\n",
    )  # fmt: skip
    show.add_argument("graph", nargs="?", default="swarm", metavar="GRAPH", help="swarm, or module:name")


def run(args: argparse.Namespace) -> int:
    from forgewright.cli.output import print_json, say

    graph = _find(args.graph)
    if args.json:
        print_json(
            {
                "graph": graph.name,
                "start": graph.start,
                "nodes": {n.name: list(n.to) for n in graph.nodes.values()},
            }
        )
    else:
        say(graph.mermaid().rstrip())
    return 0


def _find(name: str) -> Any:
    from forgewright.core.errors import NotFound

    if name == "swarm":
        from forgewright.swarm.graph import swarm_graph

        return swarm_graph()
    import os
    import sys
    from importlib import import_module

    from forgewright.graph import Graph

    module, _, attribute = name.partition(":")
    sys.path.insert(0, os.getcwd())
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise NotFound(f"there is no graph {name!r}: {error}", hint="give it as module:name") from None
    if not isinstance(found, Graph):
        raise NotFound(f"{name} is no graph, but {type(found).__name__}", hint="give it as module:name")
    return found
