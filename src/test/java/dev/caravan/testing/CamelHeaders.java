package dev.caravan.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Field;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The names of headers that mean something to Camel or to a component that is here. */
public final class CamelHeaders {

  /** What a test gives them as their value. */
  public static final String MARK = "injected";

  /** What HTTP itself, or our own login, needs as it is. */
  private static final Set<String> OF_HTTP =
      Set.of(
          "accept",
          "authorization",
          "connection",
          "content-encoding",
          "content-length",
          "content-type",
          "expect",
          "host",
          "transfer-encoding",
          "upgrade");

  private CamelHeaders() {}

  /**
   * Every string constant of Exchange and of all Constants classes in Camel's jars, and some that
   * older versions took; in three spellings, so many of one spelling in a group.
   */
  public static List<List<String>> inGroups(int size) {
    TreeSet<String> names =
        Stream.concat(
                jars().flatMap(CamelHeaders::constantClasses),
                Stream.of(dev.caravan.copyupsert.CopyUpsertConstants.class))
            .flatMap(type -> Arrays.stream(type.getFields()))
            .filter(field -> field.getType() == String.class)
            .map(CamelHeaders::value)
            .filter(name -> name.matches("[A-Za-z0-9._-]+"))
            .filter(name -> !OF_HTTP.contains(name.toLowerCase(Locale.ROOT)))
            .collect(Collectors.toCollection(() -> new TreeSet<>(String.CASE_INSENSITIVE_ORDER)));
    names.addAll(
        List.of("operationName", "org.apache.camel.x", "breadcrumbId", "job_id", "tenant"));
    assertThat(names)
        .hasSizeGreaterThan(200)
        .contains(
            "CamelFileName",
            "CamelOverruleFileName",
            "CamelHttpUri",
            "CamelBeanMethodName",
            "CamelSqlQuery",
            "CamelCopyUpsertTable");
    List<UnaryOperator<String>> spellings =
        List.of(
            name -> name,
            name -> name.toUpperCase(Locale.ROOT),
            name -> name.toLowerCase(Locale.ROOT).replaceFirst("m", "M"));
    List<List<String>> groups = new ArrayList<>();
    for (UnaryOperator<String> spelling : spellings) {
      List<String> spelled = names.stream().map(spelling).toList();
      for (int i = 0; i < spelled.size(); i += size) {
        groups.add(spelled.subList(i, Math.min(i + size, spelled.size())));
      }
    }
    return groups;
  }

  private static Stream<Path> jars() {
    return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
        .map(Path::of)
        .filter(path -> path.getFileName().toString().matches("camel-.*\\.jar"));
  }

  private static Stream<Class<?>> constantClasses(Path jar) {
    try (JarFile file = new JarFile(jar.toFile())) {
      List<Class<?>> types = new ArrayList<>();
      for (String name : file.stream().map(entry -> entry.getName()).toList()) {
        if (name.matches("org/apache/camel/(Exchange|component/.*Constants)\\.class")) {
          types.add(Class.forName(name.replace(".class", "").replace('/', '.')));
        }
      }
      return types.stream();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (ClassNotFoundException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String value(Field field) {
    try {
      return (String) field.get(null);
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(field.toString(), e);
    }
  }
}
