//! `pinode-jepsen`: does harm to real nodes, and judges what they did.

fn main() {}
