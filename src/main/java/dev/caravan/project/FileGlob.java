package dev.caravan.project;

import java.text.Normalizer;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * A pattern for plain file names: {@code *}, {@code ?}, {@code [abc]}, {@code [a-z]}, {@code
 * [!abc]}. Upper and lower case count. A pattern that matches {@code x.csv} also matches {@code
 * x.csv.gz}.
 *
 * <p>Not {@code java.nio.file.PathMatcher}: that needs a {@code Path}, which refuses some of the
 * names that a server may send.
 */
public final class FileGlob {

  private final String pattern;
  private final Pattern regex;

  /**
   * @throws IllegalArgumentException saying what is wrong with the pattern
   */
  public FileGlob(String pattern) {
    this.pattern = pattern;
    String composed = Normalizer.normalize(pattern, Normalizer.Form.NFC);
    this.regex = Pattern.compile(regexOf(composed), Pattern.DOTALL);
  }

  /**
   * Whether a file of this name, or the file inside its {@code .gz}, is meant. Letters that a Mac
   * sends in two parts are the same as in one.
   */
  public boolean matches(String fileName) {
    return matches(regex, fileName);
  }

  /** Whether the name would match in other upper and lower case. */
  boolean matchesInOtherCase(String fileName) {
    int flags = regex.flags() | Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CASE;
    return !matches(fileName) && matches(Pattern.compile(regex.pattern(), flags), fileName);
  }

  private static boolean matches(Pattern regex, String fileName) {
    String name = Normalizer.normalize(fileName, Normalizer.Form.NFC);
    return regex.matcher(name).matches()
        || regex.matcher(new FileName(name).withoutGz().text()).matches();
  }

  /**
   * Between two stars the first fit is as good as any later one; the atomic groups say so, which
   * keeps a hostile name from making the match take exponential time.
   */
  private static String regexOf(String pattern) {
    List<String> parts = partsBetweenStars(pattern);
    int last = parts.size() - 1;
    if (last == 0) {
      return parts.get(0);
    }
    StringBuilder regex = new StringBuilder(parts.get(0));
    parts.subList(1, last).forEach(part -> regex.append("(?>.*?").append(part).append(')'));
    return regex.append(".*").append(parts.get(last)).toString();
  }

  private static List<String> partsBetweenStars(String pattern) {
    List<String> parts = new ArrayList<>();
    StringBuilder part = new StringBuilder();
    for (int i = 0; i < pattern.length(); i += Character.charCount(pattern.codePointAt(i))) {
      int symbol = pattern.codePointAt(i);
      if (symbol == '*') {
        parts.add(part.toString());
        part.setLength(0);
      } else if (symbol == '?') {
        part.append('.');
      } else if (symbol == '[') {
        int end = endOfSet(pattern, i);
        part.append(setRegex(pattern.substring(i + 1, end)));
        i = end;
      } else {
        part.append(Pattern.quote(Character.toString(symbol)));
      }
    }
    parts.add(part.toString());
    return parts;
  }

  private static int endOfSet(String pattern, int start) {
    int end = pattern.indexOf(']', start);
    if (end < 0) {
      throw new IllegalArgumentException("a [ without its ]");
    }
    return end;
  }

  private static String setRegex(String set) {
    boolean negated = set.startsWith("!");
    String members = negated ? set.substring(1) : set;
    if (members.isEmpty()) {
      throw new IllegalArgumentException("nothing between [ and ]");
    }
    // All but letters, digits and the - of a range are escaped: no character has a meaning of its
    // own in the regex.
    String escaped = members.replaceAll("[\\p{ASCII}&&[^A-Za-z0-9-]]", "\\\\$0");
    String regex = (negated ? "[^" : "[") + escaped + "]";
    try {
      return Pattern.compile(regex).pattern();
    } catch (PatternSyntaxException e) {
      throw new IllegalArgumentException("a range between [ and ] that runs backwards", e);
    }
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof FileGlob glob && glob.pattern.equals(pattern);
  }

  @Override
  public int hashCode() {
    return pattern.hashCode();
  }

  /** The pattern as the project has it. */
  @Override
  public String toString() {
    return pattern;
  }
}
