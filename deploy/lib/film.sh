# shellcheck shell=bash
# Films as the demo and the tests see them: making one, counting its frames. To be sourced.

# shellcheck disable=SC2034 # for who sources this
readonly FILM_PROGRAMS=(ffmpeg ffprobe busybox-static)

# film_make FILE [SECONDS]: moving pictures with a clock, and a tone; a key frame every two seconds.
film_make() {
    ffmpeg -v error -nostdin -y -f lavfi -i "testsrc2=size=1280x720:rate=30:duration=${2:-60}" \
        -f lavfi -i "sine=frequency=440:beep_factor=4:duration=${2:-60}" \
        -c:v libx264 -preset ultrafast -g 60 -pix_fmt yuv420p -c:a aac -movflags +faststart "$1"
}

# film_frames FILE: frames that come out of the decoder.
film_frames() {
    ffprobe -v error -select_streams v:0 -count_frames -show_entries stream=nb_read_frames -of csv=p=0 "$1" </dev/null | tr -dc '0-9'
}

film_seconds() { ffprobe -v error -show_entries format=duration -of csv=p=0 "$1" </dev/null; }

# film_lengths_agree A B: within 0.15 s.
film_lengths_agree() {
    awk -v a="$(film_seconds "$1")" -v b="$(film_seconds "$2")" 'BEGIN { d = a - b; exit (d < -0.15 || d > 0.15) }'
}

# film_field NAME FILE: a number of a JSON report.
film_field() { sed -n "s/.*\"$1\": *\([0-9.]*\).*/\1/p" "$2" | head -n 1; }

# film_stem FILE: its name without folder and ending.
film_stem() {
    local name=${1##*/}
    printf '%s\n' "${name%.*}"
}
