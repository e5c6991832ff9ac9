// h2spec, pinned. Its later tags are no valid module versions (a go.mod without the /v2 that the major
// version asks for), so `go install` can't have them; this one predates its go.mod.
module gaggle.test/h2spec

go 1.21

require github.com/summerwind/h2spec v2.2.1+incompatible

require (
	github.com/fatih/color v1.16.0 // indirect
	github.com/spf13/cobra v1.8.0 // indirect
	golang.org/x/net v0.20.0 // indirect
)
