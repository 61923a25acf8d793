// Command image makes a container image by a Containerfile and writes it as an OCI layout, a folder
// that podman, skopeo and others read. It needs no container engine, no root and no network.
//
// It follows only the instructions that an image without a system needs: FROM scratch, ARG, LABEL,
// ENV, COPY of files, WORKDIR, USER, VOLUME, EXPOSE, HEALTHCHECK, ENTRYPOINT and CMD. Anything else
// is an error.
//
// The same Containerfile, files, arguments and time give the same image with the same digest.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

// arguments are the values of ARG instructions.
type arguments map[string]string

func (a arguments) String() string { return "" }

// Set implements flag.Value.
func (a arguments) Set(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok {
		return errors.New("want NAME=VALUE")
	}
	a[name] = value
	return nil
}

// run makes the image that args describe, and prints its folder and digest to out. The help goes to
// help.
func run(args []string, out, help io.Writer) error {
	values := arguments{}
	flags := flag.NewFlagSet("image", flag.ContinueOnError)
	flags.SetOutput(help)
	file := flags.String("f", "deploy/Containerfile", "follow the instructions of this `file`")
	context := flags.String("context", ".", "the `folder` that COPY reads from")
	target := flags.String("o", "bin/image", "write the image to this `folder`; an older image there is replaced")
	created := flags.Int64("created", 0, "the `time` of the image and its files, in seconds since 1970")
	flags.Var(values, "arg", "set an argument: `NAME=VALUE`; may be repeated")
	if err := flags.Parse(args); err != nil {
		return err
	}
	text, err := os.ReadFile(*file)
	if err != nil {
		return err
	}
	instructions, err := parse(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", *file, err)
	}
	img, err := build(instructions, *context, values, time.Unix(*created, 0).UTC())
	if err != nil {
		return fmt.Errorf("%s: %w", *file, err)
	}
	digest, err := img.Digest()
	if err != nil {
		return err
	}
	if err := removeLayout(*target); err != nil {
		return err
	}
	path, err := layout.Write(*target, empty.Index)
	if err != nil {
		return err
	}
	name := map[string]string{"org.opencontainers.image.ref.name": "latest"}
	if err := path.AppendImage(img, layout.WithAnnotations(name)); err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, *target, digest)
	return err
}

// removeLayout removes an older image. It removes no other folder.
func removeLayout(folder string) error {
	if _, err := os.Stat(folder); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if _, err := os.Stat(folder + "/oci-layout"); err != nil {
		return fmt.Errorf("%s is there, and is no image: %w", folder, err)
	}
	return os.RemoveAll(folder)
}
