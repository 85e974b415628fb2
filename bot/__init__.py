"""The bot: a base model, adapters on it, and the engine process that answers. Imports none of deskloop's others."""
