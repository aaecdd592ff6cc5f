"""Durable jobs: parts that go on when their driver dies, and a driver that finds them again."""
