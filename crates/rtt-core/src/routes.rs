//! `.rtt/routes.json`: the desired routes that people write, and the status that stage 50 writes.
