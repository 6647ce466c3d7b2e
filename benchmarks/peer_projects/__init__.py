"""Projects as the peers' users write them, each with a `fill` that queues deliveries.

They run in the peers' Python; libpq tells them of the database, by PGHOST and its like.
"""
