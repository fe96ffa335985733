//! JSON Schema containment: may what one side sends always be accepted by the other?
