// SPDX-License-Identifier: Apache-2.0
//! The command line and the messages of both programs.

use std::collections::HashMap;

pub mod testing {
    tonic::include_proto!("grpc.testing");
}

pub type Flags = HashMap<String, String>;

/// --name=value of the command line.
pub fn flags() -> Flags {
    std::env::args()
        .skip(1)
        .filter_map(|word| {
            let (name, value) = word.strip_prefix("--")?.split_once('=')?;
            Some((name.to_string(), value.to_string()))
        })
        .collect()
}

pub fn zeros(size: i32) -> Option<testing::Payload> {
    Some(testing::Payload { r#type: 0, body: vec![0; size as usize] })
}
