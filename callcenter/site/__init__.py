"""What people edit daily: users, agents, queues, numbers, trunks."""
