"""Graphs: a typed state, named nodes, declared edges. Pure: nothing here runs a node or waits for one."""

from forgewright.graph.graph import Graph, Node
from forgewright.graph.state import State, append, extend, merge
from forgewright.graph.transition import END, Branch, End, Goto, Update

__all__ = ["END", "Branch", "End", "Goto", "Graph", "Node", "State", "Update", "append", "extend", "merge"]
