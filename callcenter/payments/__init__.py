"""Card data on its way from a customer's keys to a site's payment system, and nowhere else."""
