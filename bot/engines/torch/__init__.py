"""The engine on torch: every kind of adapter, and what other engines are measured against."""
