package dev.caravan.cli;

import java.io.BufferedReader;
import java.io.PrintWriter;
import java.io.StringReader;
import java.io.StringWriter;
import java.util.Map;

/** A command as it was typed, and what came of it. */
record Typed(int exitCode, String out, String err) {

  /** Nobody sits in front of it. */
  static Typed command(Map<String, String> environment, String... args) {
    return answered(environment, null, args);
  }

  /**
   * A person answers.
   *
   * @param answers lines; null when nobody is there
   */
  static Typed answered(Map<String, String> environment, String answers, String... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    Terminal terminal =
        new Terminal(
            new PrintWriter(out, true),
            new PrintWriter(err, true),
            new BufferedReader(new StringReader(answers == null ? "" : answers)),
            answers != null,
            environment);
    int exitCode = CaravanCommand.run(terminal, args);
    return new Typed(exitCode, out.toString(), err.toString());
  }

  /** All that was printed. */
  String all() {
    return out + err;
  }
}
