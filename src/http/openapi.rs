//! The API as OpenAPI, for tools.

use axum::Json;
use serde_json::{Value, json};

/// Path, method, what it does, and the status of success.
const ROUTES: [(&str, &str, &str, &str); 37] = [
    ("/api/v1/containers", "get", "List containers", "200"),
    ("/api/v1/containers", "post", "Submit a container", "201"),
    ("/api/v1/pipelines", "post", "Submit a pipeline, all or nothing", "201"),
    ("/api/v1/containers/{name}", "get", "Show a container", "200"),
    ("/api/v1/containers/{name}", "delete", "Remove a container", "204"),
    ("/api/v1/containers/{name}/why", "get", "Explain where a container stands", "200"),
    ("/api/v1/containers/{name}/logs", "get", "What a container prints", "200"),
    ("/api/v1/containers/{name}/stop", "post", "Stop a container", "204"),
    ("/api/v1/containers/{name}/kill", "post", "Kill a container", "204"),
    ("/api/v1/containers/{name}/retry", "post", "Run what ended again", "204"),
    ("/api/v1/containers/{name}/wait", "post", "Answer when it has ended", "200"),
    ("/api/v1/nodes", "get", "List nodes", "200"),
    ("/api/v1/nodes/{name}", "delete", "Declare a node gone", "204"),
    ("/api/v1/nodes/{name}/drain", "post", "Give a node no new work", "204"),
    ("/api/v1/nodes/{name}/undrain", "post", "Give a node work again", "204"),
    ("/api/v1/nodes/{name}/labels", "post", "Give a node labels, or take them back", "204"),
    ("/api/v1/settings", "get", "What holds for the whole cluster", "200"),
    ("/api/v1/settings", "post", "Change what holds for the whole cluster", "200"),
    ("/api/v1/backup", "get", "The whole state as one file, for pinode restore", "200"),
    ("/api/v1/status", "get", "The cluster as this node sees it", "200"),
    ("/api/v1/graph", "get", "Who waits for whom", "200"),
    ("/api/v1/events", "get", "What happens, as server-sent events", "200"),
    ("/api/v1/videos", "get", "List films", "200"),
    ("/api/v1/videos", "post", "Encode a film", "202"),
    ("/api/v1/videos/{id}", "get", "Show a film", "200"),
    ("/api/v1/videos/{id}/result", "get", "Download the encoded film", "200"),
    ("/api/v1/videos/{id}/cancel", "post", "Stop what encodes a film", "204"),
    ("/api/v1/videos/{id}/retry", "post", "Run again what of a film has failed", "204"),
    ("/api/v1/uploads", "get", "List films that come in pieces", "200"),
    ("/api/v1/uploads", "post", "Begin to send a film in pieces", "201"),
    ("/api/v1/uploads/{id}", "get", "How many bytes are there", "200"),
    ("/api/v1/uploads/{id}", "patch", "Send the next piece, from Upload-Offset on", "204"),
    ("/api/v1/uploads/{id}", "delete", "Throw a half-sent film away", "204"),
    ("/api/v1/uploads/{id}/finish", "post", "Encode the film that is there", "202"),
    ("/api/openapi.json", "get", "This document", "200"),
    ("/healthz", "get", "The process answers", "200"),
    ("/readyz", "get", "It has a quorum and an engine", "200"),
];

pub(super) async fn document() -> Json<Value> {
    let mut paths = serde_json::Map::new();
    for (path, method, summary, status) in ROUTES {
        let parameters: Vec<Value> = path
            .split('/')
            .filter_map(|piece| piece.strip_prefix('{')?.strip_suffix('}'))
            .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}))
            .collect();
        let operation = json!({
            "summary": summary,
            "parameters": parameters,
            "responses": {
                status: {"description": "done"},
                "default": {"description": "an error", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}},
            },
        });
        let methods = paths.entry(path).or_insert_with(|| json!({}));
        methods[method] = operation;
    }
    Json(json!({
        "openapi": "3.1.0",
        "info": {"title": "pinode", "version": env!("CARGO_PKG_VERSION")},
        "paths": paths,
        "components": {"schemas": {"Error": {"type": "object", "properties": {"error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {"code": {"type": "string"}, "message": {"type": "string"}, "field": {"type": "string"}},
        }}}}},
    }))
}
