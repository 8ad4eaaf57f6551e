"""What gxo knows of a running systemd: bus, jobs, journal, host. The only user of pydbus and gi."""
