"""The post office: who listens to which trigger, and how each event gets there."""
