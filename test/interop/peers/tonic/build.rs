// SPDX-License-Identifier: Apache-2.0
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = std::env::var("PROTO_DIR")?;
    let proto = format!("{root}/grpc/testing/test.proto");
    tonic_prost_build::configure().compile_protos(&[proto], &[root])?;
    Ok(())
}
