"""The ground floor: accounts, people, projects, apps, credentials, keys, and who may see what."""
