"""The console: sign-in, desk, floor and the numbered socket that browsers follow."""
