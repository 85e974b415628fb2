"""The operator's side of deskloop: the Textual app, the command line beside it, and the core both stand
on."""
