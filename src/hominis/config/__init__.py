"""The configuration: one pydantic section per stage, checked whole before any work starts."""
