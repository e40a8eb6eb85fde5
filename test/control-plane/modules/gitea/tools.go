//go:build tools

package tools

import (
	_ "gitea.dev"
)
