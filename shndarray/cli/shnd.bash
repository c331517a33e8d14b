# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Completion of shnd(1) for bash. Commands and options are those that `shnd --help` and `shnd COMMAND
# --help` tell of; names and addresses those that `shnd list` does.

# Adds those of the words on the standard input, each with a NUL at its end, that begin with what was
# typed: quoted, so that the shell reads the word again.
_shnd_add_words () {
  local word typed quote='' reply breaks prefix=''

  [[ $cur == [\"\']* ]] && quote=${cur:0:1}
  # shellcheck disable=SC2162 # which takes the backslashes away
  IFS= read -d '' typed < <(printf '%s\0' "${cur#"$quote"}")
  [[ $quote == \' ]] && typed=${cur:1}
  # Readline replaces only what follows the last of these characters.
  breaks=${COMP_WORDBREAKS//[^:=@]/}
  [[ $quote == '' && $breaks != '' ]] && prefix=${cur%"${cur##*["$breaks"]}"}

  while IFS= read -r -d '' word; do
    [[ $word == "$typed"* ]] || continue
    # It would be taken for an option.
    [[ $word == -* && $after_mark == '' ]] && continue

    case $quote in
      \') reply=${word//\'/\'\\\'\'} ;;
      \")
        reply=${word//\\/\\\\}
        reply=${reply//\"/\\\"}
        reply=${reply//\$/\\\$}
        reply=${reply//\`/\\\`}
        ;;
      *) printf -v reply %q "$word" ;;
    esac
    [[ $reply == "$prefix"* ]] && COMPREPLY+=("${reply#"$prefix"}")
  done
}

_shnd_add_arrays () {
  _shnd_add_words < <("$shnd" list --null 2>/dev/null)
}

_shnd_add_addresses () {
  if [[ $cur == /* ]]; then
    _filedir
  else
    _shnd_add_words < <("$shnd" list --streams --null 2>/dev/null)
  fi
}

# A word without a slash is first of all a name.
_shnd_add_sources () {
  [[ $cur == */* ]] || _shnd_add_arrays
  ((${#COMPREPLY[@]} > 0)) || _filedir npy
}

_shnd_add_choices () {
  mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "$*" -- "$cur")
}

_shnd_add_commands () {
  _shnd_add_choices help "$("$shnd" --help 2>/dev/null | sed -n 's/^  \([a-z]\{1,\}\)  .*/\1/p')"
}

# Whether a word is an option whose value is the next word, as the help has it.
_shnd_takes_value () {
  case $1 in
    --?*=* | --) return 1 ;;
    --?*) [[ $help == *" $1="* ]] ;;
    -?*) [[ $help == *"  -${1: -1}, --"+([a-z-])=* ]] ;;
    *) return 1 ;;
  esac
}

# For the option whose value is typed.
_shnd_add_value () {
  local long=$prev

  if [[ $prev != --* ]]; then
    long=${help#*"  -${prev: -1}, "}
    long=${long%%=*}
  fi

  case $long in
    --sort) _shnd_add_choices name size dtype shape state ;;
    --colormap) _shnd_add_choices auto grey heat diverging ;;
    --format) _shnd_add_choices auto blocks sixel kitty ascii ;;
    --png) _filedir png ;;
    --save) _filedir -d ;;
  esac
}

_shnd_add_operand () {
  local command=$1 position=$2

  case $command:$position in
    help:1) _shnd_add_commands ;;
    create:2) _shnd_add_choices bool {,u}int{8,16,32,64} float{16,32,64} complex{64,128} ;;
    load:1) _filedir npy ;;
    save:2) _filedir ;;
    copy:1 | save:1 | show:1 | info:*) _shnd_add_sources ;;
    list:* | watch:* | rm:* | lock:1 | wait:1) _shnd_add_arrays ;;
    subscribe:1 | top:*) _shnd_add_addresses ;;
    publish:1) ;;
    publish:*) _filedir ;;
  esac
}

# What follows the mark is another command.
_shnd_add_words_of_command () {
  local i

  for ((i = 3; i < COMP_CWORD; i++)); do
    if [[ ${COMP_WORDS[i]} == -- ]]; then
      _command_offset $((i + 1))
      return
    fi
  done
}

_shnd () {
  local cur prev words cword split shnd=$1 help command position=1 i after_mark=''

  _init_completion -s -n :@ || return

  if ((cword == 1)); then
    if [[ $cur == -* ]]; then
      _shnd_add_choices --help --version
    else
      _shnd_add_commands
    fi
    return
  fi

  command=${words[1]}
  help=$("$shnd" "$command" --help 2>/dev/null)
  for ((i = 2; i < cword; i++)); do
    if [[ $command == lock && ${words[i]} == -- ]] && ((position > 1)); then
      _shnd_add_words_of_command
      return
    elif [[ $after_mark == '' && ${words[i]} == -- ]]; then
      after_mark=$i
    elif [[ $after_mark == '' ]] && _shnd_takes_value "${words[i]}"; then
      ((++i))
    elif [[ $after_mark != '' || ${words[i]} != -?* ]]; then
      ((position++))
    fi
  done

  if [[ $after_mark == '' ]] && { $split || ((i > cword)); }; then
    _shnd_add_value
  elif [[ $after_mark == '' && $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_parse_help "$shnd" "$command --help")" -- "$cur")
    [[ ${COMPREPLY-} == *= ]] && compopt -o nospace
  else
    _shnd_add_operand "$command" "$position"
  fi
}

complete -F _shnd shnd
