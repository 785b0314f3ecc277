//! The files that `tests/setup.sh` puts into `tests/fetched`.

use std::path::Path;

use serde_json::Value;

/// A fetched file. Without it nothing can be checked, so that is a failure and never a pass.
pub fn text(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fetched")
        .join(name);
    std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; run tests/setup.sh", path.display()))
}

/// A fetched JSON file.
pub fn json(name: &str) -> Value {
    serde_json::from_str(&text(name)).unwrap_or_else(|error| {
        panic!("tests/fetched/{name}: {error}; remove it and run tests/setup.sh")
    })
}
