"""Equipment: records of any number of exports, the devices they are about, and their use."""
