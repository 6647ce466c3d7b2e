"""The API described for programs: OpenAPI 3.1 out of what the views, the serializers and the tables of the rooms say."""
