package dev.caravan.cli;

import java.io.BufferedReader;
import java.io.Console;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.Charset;
import java.util.Map;

/**
 * Where a command is run: what it reads and writes.
 *
 * @param out results
 * @param err progress and refusals
 * @param in answers to questions
 * @param interactive true when a person sits in front of it
 * @param environment variables of the process
 */
record Terminal(
    PrintWriter out,
    PrintWriter err,
    BufferedReader in,
    boolean interactive,
    Map<String, String> environment) {

  /** That of the process. */
  @SuppressWarnings("SystemConsoleNull") // isTerminal knows of JDK 22; before it null says the same
  static Terminal ofProcess() {
    Console console = System.console();
    Charset charset = console == null ? Charset.defaultCharset() : console.charset();
    return new Terminal(
        new PrintWriter(System.out, true, charset),
        new PrintWriter(System.err, true, charset),
        new BufferedReader(new InputStreamReader(System.in, charset)),
        console != null && isTerminal(console),
        System.getenv());
  }

  /** From JDK 22 on there is always a console, and it says whether it is a terminal. */
  private static boolean isTerminal(Console console) {
    try {
      return (boolean) Console.class.getMethod("isTerminal").invoke(console);
    } catch (ReflectiveOperationException e) {
      return true;
    }
  }

  /** The answer of the person, or the proposal when it is empty or nobody is there. */
  String ask(String question, String proposal) {
    if (!interactive) {
      return proposal;
    }
    err.printf("%s [%s]: ", question, proposal);
    err.flush();
    try {
      String answer = in.readLine();
      return answer == null || answer.isBlank() ? proposal : answer.strip();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Text of others without what a terminal would obey. */
  static String plain(String text) {
    return text.replaceAll("[\\p{Cc}\\p{Cf}&&[^\n\t]]", "?");
  }
}
