"""Who may do what, and what that obliges: Cedar behind one gate."""
