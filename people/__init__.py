"""Units, grid workers, accounts and sessions."""
