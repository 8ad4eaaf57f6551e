"""From text to a typed playbook: the only room that knows lark and yaml."""
