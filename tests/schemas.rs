//! Every schema is a valid, described JSON Schema, and only describes what it says it does.

use rtt_core::schema::Schema;
use serde_json::Value;

#[test]
fn every_schema_compiles_and_describes_itself_and_its_properties() {
    for &schema in Schema::ALL {
        let name = schema.file_name();
        let document: Value = serde_json::from_str(schema.text()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let _ = schema.validator();
        let identifier = name.trim_start_matches("rtt.").trim_end_matches(".schema.json");
        assert_eq!(document["$id"], format!("urn:rtt:schema:{identifier}:1"), "{name}");
        assert!(jsonschema::meta::is_valid(&document), "{name} is not a JSON Schema");
        for member in ["title", "description"] {
            assert!(document[member].as_str().is_some_and(|text| text.len() > 3), "{name} has no {member}");
        }
        let mut undescribed = Vec::new();
        collect_undescribed(&document, name, &mut undescribed);
        assert!(undescribed.is_empty(), "without a description: {undescribed:#?}");
    }
}

/// A property is described by itself or by the definition that it refers to.
fn collect_undescribed(schema: &Value, path: &str, found: &mut Vec<String>) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::Object(properties)) = members.get("properties") {
                for (name, property) in properties {
                    if property.is_object() && property.get("description").is_none() && property.get("$ref").is_none() {
                        found.push(format!("{path}/{name}"));
                    }
                }
            }
            for (name, member) in members {
                collect_undescribed(member, &format!("{path}/{name}"), found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_undescribed(item, path, found)),
        _ => {}
    }
}
