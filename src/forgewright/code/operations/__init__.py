"""The operations of the language of code, one class each. `registry` names them all."""
