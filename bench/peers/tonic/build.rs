// SPDX-License-Identifier: Apache-2.0
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = std::env::var("PROTO_DIR")?;
    tonic_prost_build::configure().compile_protos(&[format!("{root}/bench.proto")], &[root])?;
    Ok(())
}
