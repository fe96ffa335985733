//! Tests of stage 10.
