package main

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// builder follows instructions.
type builder struct {
	context  string // folder that COPY reads from
	given    map[string]string
	values   map[string]string // of ARG instructions so far
	uid, gid int               // of the user in force
	config   v1.Config
	platform *v1.Platform // nil until a program was copied
	files    tree
}

// build follows instructions. given has the values of ARG instructions, created is the time of the
// image and all its files.
func build(instructions []instruction, context string, given map[string]string, created time.Time) (v1.Image, error) {
	b := &builder{context: context, given: given, values: map[string]string{}, files: tree{}}
	for i, in := range instructions {
		err := errors.New("an image begins FROM scratch")
		if (i == 0) == (in.name == "FROM") {
			err = b.follow(in)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %s: %w", in.line, in.name, err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, ok := b.values[name]; !ok {
			return nil, fmt.Errorf("there is no ARG %s", name)
		}
	}
	return b.image(created)
}

func (b *builder) follow(in instruction) (err error) {
	if in.name == "ARG" {
		return b.argument(in.rest)
	}
	rest := in.rest
	if in.name == "LABEL" || in.name == "ENV" {
		if rest, err = expand(rest, b.values); err != nil {
			return err
		}
	}
	switch in.name {
	case "FROM":
		if rest != "scratch" {
			err = errors.New("an image begins FROM scratch")
		}
	case "LABEL":
		err = b.label(rest)
	case "ENV":
		var name, value string
		name, value, err = pair(rest)
		b.config.Env = append(b.config.Env, name+"="+value)
	case "COPY":
		err = b.copyFiles(strings.Fields(rest))
	case "WORKDIR":
		if !path.IsAbs(rest) {
			return fmt.Errorf("%q is not absolute", rest)
		}
		b.config.WorkingDir = rest
		b.files.addFolder(rest, b.uid, b.gid)
	case "USER":
		b.config.User = rest
		b.uid, b.gid, err = owner(rest)
	case "VOLUME":
		b.config.Volumes, err = b.volumes(rest)
	case "EXPOSE":
		b.config.ExposedPorts = set(strings.Fields(rest))
	case "HEALTHCHECK":
		err = b.healthcheck(rest)
	case "ENTRYPOINT":
		b.config.Entrypoint, err = words(rest)
	case "CMD":
		b.config.Cmd, err = words(rest)
	default:
		err = errors.New("is not supported")
	}
	return err
}

func (b *builder) argument(text string) error {
	name, value, _ := strings.Cut(text, "=")
	if given, ok := b.given[name]; ok {
		value = given
	}
	b.values[name] = value
	return nil
}

func (b *builder) label(text string) error {
	name, value, err := pair(text)
	if err != nil {
		return err
	}
	if b.config.Labels == nil {
		b.config.Labels = map[string]string{}
	}
	b.config.Labels[name] = value
	return nil
}

// copyFiles adds files to a folder. Like those of a container engine, they belong to root.
func (b *builder) copyFiles(names []string) error {
	last := len(names) - 1
	if last < 1 || strings.HasPrefix(names[0], "-") || !path.IsAbs(names[last]) || !strings.HasSuffix(names[last], "/") {
		return errors.New("want files, and an absolute folder with / at its end")
	}
	for _, name := range names[:last] {
		platform, err := b.files.addFile(filepath.Join(b.context, name), path.Join(names[last], path.Base(name)))
		if err != nil {
			return err
		}
		if platform != nil {
			b.platform = platform
		}
	}
	return nil
}

func (b *builder) volumes(text string) (map[string]struct{}, error) {
	folders, err := words(text)
	for _, f := range folders {
		if !b.files.has(f) { // an engine would make it for root
			return nil, fmt.Errorf("%s is not in the image", f)
		}
	}
	return set(folders), err
}

func (b *builder) healthcheck(text string) error {
	command, ok := strings.CutPrefix(text, "CMD ")
	if !ok {
		return errors.New("want CMD and a list")
	}
	list, err := words(command)
	b.config.Healthcheck = &v1.HealthConfig{Test: append([]string{"CMD"}, list...)}
	return err
}

func set(list []string) map[string]struct{} {
	out := map[string]struct{}{}
	for _, s := range list {
		out[s] = struct{}{}
	}
	return out
}

// image returns the image with one layer.
func (b *builder) image(created time.Time) (v1.Image, error) {
	if b.platform == nil {
		return nil, errors.New("the image has no program")
	}
	layer, err := b.files.layer(created)
	if err != nil {
		return nil, err
	}
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	img, err = mutate.Append(img, mutate.Addendum{
		Layer: layer, History: v1.History{Created: v1.Time{Time: created}, CreatedBy: "deploy/image"},
	})
	if err != nil {
		return nil, err
	}
	file, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	file = file.DeepCopy()
	file.Created, file.Config = v1.Time{Time: created}, b.config
	file.OS, file.Architecture, file.Variant = b.platform.OS, b.platform.Architecture, b.platform.Variant
	return mutate.ConfigFile(img, file)
}
