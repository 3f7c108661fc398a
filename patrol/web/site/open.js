// The open list comes ready from the server; only its own words change with the language.
import { onLanguage } from "./shared.js";

onLanguage(() => {});
