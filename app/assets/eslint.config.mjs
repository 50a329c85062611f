import js from "@eslint/js";
import globals from "globals";

export default [
  js.configs.recommended,
  {
    files: ["*.js"],
    languageOptions: {
      ecmaVersion: 2022,
      sourceType: "script",
      globals: { ...globals.browser, L: "readonly", protomapsL: "readonly", module: "readonly", require: "readonly", GridkeeperData: "writable", GridkeeperStyle: "writable", GridkeeperLayers: "writable", GridkeeperPick: "writable" },
    },
    rules: {
      curly: "error",
      eqeqeq: ["error", "always", { null: "ignore" }],
      "no-implicit-globals": "off",
      "no-redeclare": ["error", { builtinGlobals: false }],
      "no-var": "error",
      "prefer-const": "error",
      "no-unused-vars": ["error", { varsIgnorePattern: "^Gridkeeper" }],
    },
  },
  { files: ["gridkeeper-board.js"], languageOptions: { sourceType: "module" } },
  {
    files: ["tests/*.js"],
    languageOptions: { ecmaVersion: 2022, sourceType: "commonjs", globals: globals.node },
  },
];
