//! Policy: access rules, quality of service, pins, failover; their older forms and their matching.
