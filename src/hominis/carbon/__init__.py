"""What the work cost the climate: meters for one attempt, arithmetic over all of them."""
