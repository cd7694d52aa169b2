"""Who is planned for what: shifts of agents, and who keeps to them. See `callcenter/reporting/README.md`."""
