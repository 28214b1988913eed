"""One module a problem of the report: frames in, facts for its claims out; refuses to judge (that is `claims`)."""
