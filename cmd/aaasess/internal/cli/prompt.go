package cli

import (
	"bufio"
	"context"
	"fmt"
	"strings"
)

// Prompt asks a question on the terminal, and waits for the answer.
func (g *Global) Prompt(ctx context.Context, question string) (yes bool, err error) {
	fmt.Fprint(g.Err, question+" [y/N] ")
	answer := make(chan string, 1)
	go func() { // may live as long as the process: a read from a terminal cannot be canceled
		line, _ := bufio.NewReader(g.In).ReadString('\n')
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case <-ctx.Done():
		return false, context.Cause(ctx)
	case line := <-answer:
		return line == "y" || line == "yes", nil
	}
}
