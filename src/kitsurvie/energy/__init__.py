"""What machines spend: what their probes counted, and what is known of them on paper."""
