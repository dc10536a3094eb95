// What .dockerignore leaves out, as moby's patternmatcher says it, for tests that compare with it.
//
// Each line of stdin is a file and paths, in hexadecimal with a space between them. For each there
// is a line of stdout: "refused", or for each path "1" where it is left out, "0" where not and "!"
// where that is an error, and the same once more from folder to folder, as older clients go.
package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

func unhex(field string) []byte {
	decoded, err := hex.DecodeString(field)
	if err != nil {
		log.Fatal(err)
	}
	return decoded
}

func digit(out bool, err error) string {
	if err != nil {
		return "!"
	}
	if out {
		return "1"
	}
	return "0"
}

func stepwise(matcher *patternmatcher.PatternMatcher, path string) (out bool, err error) {
	var info patternmatcher.MatchInfo
	for end := range len(path) + 1 {
		if end < len(path) && path[end] != '/' {
			continue
		}
		if out, info, err = matcher.MatchesUsingParentResults(path[:end], info); err != nil {
			return false, err
		}
	}
	return out, nil
}

func answer(fields []string) string {
	patterns, err := ignorefile.ReadAll(bytes.NewReader(unhex(fields[0])))
	if err != nil {
		return "refused"
	}
	matcher, err := patternmatcher.New(patterns)
	if err != nil {
		return "refused"
	}
	var answers strings.Builder
	for _, field := range fields[1:] {
		path := string(unhex(field))
		answers.WriteString(digit(matcher.MatchesOrParentMatches(path)))
		answers.WriteString(digit(stepwise(matcher, path)))
	}
	return answers.String()
}

func main() {
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadString('\n')
		if err == io.EOF {
			return
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(answer(strings.Split(strings.TrimSuffix(line, "\n"), " ")))
	}
}
