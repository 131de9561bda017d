package dev.caravan.copyupsert;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.Category;
import org.apache.camel.spi.Metadata;
import org.apache.camel.spi.UriEndpoint;
import org.apache.camel.spi.UriParam;
import org.apache.camel.spi.UriPath;
import org.apache.camel.tooling.model.BaseOptionModel;
import org.apache.camel.tooling.model.ComponentModel;
import org.apache.camel.tooling.model.ComponentModel.ComponentOptionModel;
import org.apache.camel.tooling.model.ComponentModel.EndpointHeaderModel;
import org.apache.camel.tooling.model.ComponentModel.EndpointOptionModel;
import org.apache.camel.tooling.model.SupportLevel;

/**
 * What the annotations of the component say, as the model of Camel's catalog. Camel's own generator
 * would also make configurers, which a single module cannot compile together with the endpoint.
 */
final class CatalogModel {

  private static final Pattern JAVADOC =
      Pattern.compile("/\\*\\*((?:(?!\\*/).)*)\\*/\\s*@UriEndpoint", Pattern.DOTALL);

  private static final Map<Class<?>, String> TYPES =
      Map.of(
          String.class, "string",
          boolean.class, "boolean",
          Boolean.class, "boolean",
          int.class, "integer",
          Integer.class, "integer",
          long.class, "integer",
          Long.class, "integer",
          double.class, "number",
          Double.class, "number");

  private final ComponentModel model = new ComponentModel();

  private CatalogModel() {}

  /** The model of {@code copy-upsert}. */
  static ComponentModel read() throws Exception {
    CatalogModel catalog = new CatalogModel();
    catalog.component();
    fields(CopyUpsertComponent.class).forEach(catalog::componentOption);
    for (Field constant : CopyUpsertConstants.class.getFields()) {
      catalog.header(constant);
    }
    fields(CopyUpsertEndpoint.class).forEach(catalog::path);
    fields(CopyUpsertEndpoint.class).forEach(catalog::parameter);
    return catalog.model;
  }

  private void component() throws Exception {
    UriEndpoint endpoint = CopyUpsertEndpoint.class.getAnnotation(UriEndpoint.class);
    model.setScheme(endpoint.scheme());
    model.setName(endpoint.scheme());
    model.setExtendsScheme(endpoint.extendsScheme());
    model.setSyntax(endpoint.syntax());
    model.setTitle(endpoint.title());
    model.setDescription(description());
    model.setLabel(
        Arrays.stream(endpoint.category())
            .map(Category::getValue)
            .collect(Collectors.joining(",")));
    model.setFirstVersion(endpoint.firstVersion());
    model.setConsumerOnly(endpoint.consumerOnly());
    model.setProducerOnly(endpoint.producerOnly());
    model.setLenientProperties(endpoint.lenientProperties());
    model.setRemote(endpoint.remote());
    model.setJavaType(CopyUpsertComponent.class.getName());
    model.setSupportLevel(SupportLevel.Preview);
    Pom pom = Pom.read();
    model.setGroupId(pom.groupId());
    model.setArtifactId(pom.artifactId());
    model.setVersion(pom.version());
  }

  /** Javadoc is not in the class file. */
  private static String description() throws Exception {
    Path source =
        Path.of("src/main/java", CopyUpsertEndpoint.class.getName().replace('.', '/') + ".java");
    Matcher javadoc = JAVADOC.matcher(Files.readString(source));
    if (!javadoc.find()) {
      throw new IllegalStateException(source + " has no Javadoc before @UriEndpoint");
    }
    return javadoc.group(1).replaceAll("\\s+\\*\\s+", " ").strip();
  }

  /** Those of the class and of what it extends, its own ones first. */
  private static List<Field> fields(Class<?> type) {
    return Stream.<Class<?>>iterate(type, c -> c != null, Class::getSuperclass)
        .flatMap(c -> Arrays.stream(c.getDeclaredFields()))
        .filter(field -> !Modifier.isStatic(field.getModifiers()))
        .toList();
  }

  private void componentOption(Field field) {
    Metadata metadata = field.getAnnotation(Metadata.class);
    if (metadata != null) {
      ComponentOptionModel option = new ComponentOptionModel();
      option.setKind("property");
      describe(option, field, metadata.label(), metadata.description(), metadata.defaultValue());
      if (isUsable(option)) {
        model.addComponentOption(option);
      }
    }
  }

  private void header(Field constant) throws IllegalAccessException {
    Metadata metadata = constant.getAnnotation(Metadata.class);
    EndpointHeaderModel header = new EndpointHeaderModel();
    header.setKind("header");
    header.setName((String) constant.get(null));
    header.setConstantName(constant.getDeclaringClass().getName() + "#" + constant.getName());
    header.setDisplayName(metadata.displayName());
    header.setGroup(group(metadata.label()));
    header.setLabel(metadata.label());
    header.setJavaType(metadata.javaType());
    header.setRequired(metadata.required());
    header.setDefaultValue(metadata.defaultValue());
    header.setDeprecated(constant.isAnnotationPresent(Deprecated.class));
    header.setDeprecationNote(metadata.deprecationNote());
    header.setDescription(metadata.description());
    header.setSecret(metadata.secret());
    model.addEndpointHeader(header);
  }

  private void path(Field field) {
    UriPath path = field.getAnnotation(UriPath.class);
    if (path != null) {
      endpointOption(field, "path", path.label(), path.description(), path.defaultValue());
    }
  }

  private void parameter(Field field) {
    UriParam param = field.getAnnotation(UriParam.class);
    if (param != null) {
      requireKnown(field, param);
      endpointOption(field, "parameter", param.label(), param.description(), param.defaultValue());
    }
  }

  /** What no option needs so far is not lost silently when one does. */
  private static void requireKnown(Field field, UriParam param) {
    if (param.secret()
        || param.multiValue()
        || !(param.name() + param.enums() + param.javaType()).isEmpty()) {
      throw new IllegalStateException(
          field + ": CatalogModel does not read secret, multiValue, name, enums, javaType yet");
    }
  }

  private void endpointOption(
      Field field, String kind, String label, String description, String defaultValue) {
    EndpointOptionModel option = new EndpointOptionModel();
    option.setKind(kind);
    describe(option, field, label, description, defaultValue);
    if (isUsable(option)) {
      model.addEndpointOption(option);
    }
  }

  private void describe(
      BaseOptionModel option, Field field, String label, String description, String defaultValue) {
    Metadata metadata = field.getAnnotation(Metadata.class);
    Class<?> type = field.getType();
    option.setName(field.getName());
    option.setDisplayName(displayName(field.getName()));
    option.setGroup(group(label));
    option.setLabel(label);
    option.setRequired(metadata != null && metadata.required());
    option.setType(type.isEnum() ? "enum" : TYPES.getOrDefault(type, "object"));
    option.setJavaType(type.getCanonicalName());
    if (type.isEnum()) {
      option.setEnums(Arrays.stream(type.getEnumConstants()).map(Object::toString).toList());
    }
    option.setDeprecated(field.isAnnotationPresent(Deprecated.class));
    option.setAutowired(metadata != null && metadata.autowired());
    option.setSecret(metadata != null && metadata.secret());
    option.setDefaultValue(value(type, defaultValue));
    option.setDescription(description);
  }

  private boolean isUsable(BaseOptionModel option) {
    return !(model.isProducerOnly() && option.getLabel().contains("consumer"));
  }

  /** The words that Camel's catalog groups options by. */
  private static String group(String label) {
    List<String> labels = List.of(label.split(","));
    String first = labels.get(0).isEmpty() ? "producer" : labels.get(0);
    return labels.size() > 1 && labels.contains("advanced") ? first + " (advanced)" : first;
  }

  private static String displayName(String name) {
    String words = name.replaceAll("([a-z])([A-Z])", "$1 $2");
    return Character.toUpperCase(words.charAt(0)) + words.substring(1);
  }

  private static Object value(Class<?> type, String text) {
    if (type == boolean.class) {
      return Boolean.valueOf(text);
    }
    return type == long.class || type == int.class ? (Object) Long.valueOf(text) : text;
  }
}
