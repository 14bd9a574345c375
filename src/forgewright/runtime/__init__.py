"""The door: runs graphs; every effect passes its gate, is journaled, performed and receipted."""
