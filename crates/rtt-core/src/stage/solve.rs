//! Stage 40: everything so far → a signed plan.
