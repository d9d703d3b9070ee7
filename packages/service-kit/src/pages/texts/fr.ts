import type { Errors, Frame } from './en.ts';

export const frame: Frame = {
  forHelp: 'Si vous demandez de l’aide, transmettez ceci :',
  reference: 'Référence',
  code: 'Code',
  back: 'Retour à {name}',
  reload: 'Rouvrir la page',
};

export const errors: Errors = {
  other: [
    'Cela n’a pas fonctionné',
    'Ce que vous vouliez faire a été refusé.',
    'Recommencez depuis votre application. Si cela se reproduit, demandez à votre administrateur.',
  ],
  internal: [
    'Une erreur s’est produite',
    'L’erreur vient de nous, pas de vous.',
    'Réessayez dans un instant. Si cela se reproduit, signalez-le à votre administrateur.',
  ],
  unreadable: [
    'Cette requête n’a pas pu être comprise',
    'Votre navigateur a envoyé quelque chose que cette page n’attend pas, ou plus qu’elle n’accepte.',
    'Retournez dans votre application et recommencez.',
  ],
  not_found: [
    'Il n’y a rien ici',
    'L’adresse n’est pas la bonne, ou ce qui se trouvait ici n’existe plus.',
    'Vérifiez l’adresse, ou recommencez depuis votre application.',
  ],
  access_denied: [
    'Vous n’y êtes pas autorisé',
    'Votre compte n’a pas le droit nécessaire.',
    'Demandez-le à un administrateur de votre organisation.',
  ],
  conflict: [
    'Une modification a eu lieu en même temps',
    'Quelqu’un d’autre, ou un autre de vos onglets, a été plus rapide.',
    'Rouvrez la page et refaites votre modification.',
  ],
  rate_limited: [
    'Trop de requêtes',
    'Votre réseau a envoyé plus de requêtes qu’il n’en est traité en une minute.',
    'Attendez {seconds, plural, one {# seconde} other {# secondes}}, puis réessayez.',
  ],
  dependency_unavailable: [
    'C’est impossible pour le moment',
    'Une partie du service ne répond pas en ce moment. Votre compte n’est pas en cause.',
    'Attendez {seconds, plural, one {# seconde} other {# secondes}}, puis recommencez depuis votre application.',
  ],
  tenant_suspended: [
    'L’accès de votre organisation est suspendu',
    'Personne de votre organisation ne peut se connecter actuellement.',
    'Adressez-vous à un administrateur de votre organisation.',
  ],
  user_deactivated: [
    'Votre compte est désactivé',
    'Vous ne pouvez pas utiliser ce compte actuellement.',
    'Demandez à un administrateur de votre organisation de le réactiver.',
  ],
  identity_conflict: [
    'Votre compte n’a pas pu être identifié',
    'Quelqu’un dans votre organisation a déjà votre adresse e-mail ou votre identifiant, et il n’est pas certain que ce soit vous.',
    'Connectez-vous comme avant et associez-y cette connexion, ou demandez à un administrateur de le faire.',
  ],
  identity_taken: [
    'Cette connexion est déjà associée',
    'Elle appartient à un autre compte, ou votre compte en a déjà une autre de ce type.',
    'Demandez à un administrateur de votre organisation de dissocier d’abord celle-là.',
  ],
  link_needs_sign_in: [
    'Connectez-vous d’abord comme d’habitude',
    'Une autre connexion n’est associée à votre compte que juste après une connexion.',
    'Connectez-vous comme d’habitude dans votre application, puis associez de nouveau l’autre connexion.',
  ],
  link_declined: [
    'Rien n’a été associé',
    'Vous n’avez pas voulu associer cette connexion.',
    'Vous pouvez retourner à votre application.',
  ],
  identity_unknown: [
    'Vous n’avez pas de compte ici',
    'Votre organisation a confirmé votre identité, mais personne ne vous a ajouté ici.',
    'Demandez à un administrateur de votre organisation de vous ajouter.',
  ],
  connection_not_active: [
    'Ce mode de connexion est fermé',
    'Votre organisation ne l’utilise plus, ou pas encore.',
    'Recommencez depuis votre application. Si cela se reproduit, demandez à votre administrateur.',
  ],
  setup_link_over: [
    'Ce lien n’est plus valable',
    'Il a expiré, a été retiré ou est incomplet.',
    'Vérifiez que vous avez l’adresse entière, ou demandez un nouveau lien à la personne qui l’a envoyé.',
  ],
  connection_untested: [
    'La connexion n’a pas encore été testée',
    'Personne ne s’est encore connecté pour un test avec les réglages actuels.',
    'Rouvrez la page et testez d’abord la connexion.',
  ],
  domain_enforced: [
    'Vous vous connectez autrement',
    'Votre organisation fait passer ailleurs les personnes qui ont votre adresse e-mail.',
    'Recommencez depuis votre application et saisissez votre adresse e-mail : elle vous mènera au bon endroit.',
  ],
  missing_auth_key: [
    'Nous ne savons pas où vous vous connectez',
    'La page d’où vous venez ne dit pas quelle connexion elle veut.',
    'Signalez-le aux responsables de cette page. Vous n’avez rien fait de mal.',
  ],
  unknown_auth_key: [
    'Cette connexion n’existe pas',
    'La page d’où vous venez nomme une connexion qui n’existe pas ici.',
    'Signalez-le aux responsables de cette page. Vous n’avez rien fait de mal.',
  ],
  origin_not_allowed: [
    'Cette page ne peut pas afficher l’assistant',
    'La page d’où vous venez ne fait pas partie de celles que votre organisation autorise.',
    'Signalez-le aux responsables de cette page ou à votre administrateur.',
  ],
  redirect_uri_mismatch: [
    'La connexion n’est pas entièrement configurée',
    'Une adresse de retour n’est pas enregistrée.',
    'Signalez-le à votre administrateur. Réessayer ne sert à rien.',
  ],
  redirect_loop: [
    'Vous avez tourné en rond',
    'La page d’où vous venez vous a renvoyé sans cesse à la connexion ; nous y avons mis fin.',
    'Attendez une minute, puis rouvrez la page. Si cela se reproduit, signalez-le à ses responsables.',
  ],
  cookies_blocked: [
    'Votre navigateur ne garde aucun cookie',
    'Sans eux, personne ne peut se connecter ici.',
    'Autorisez les cookies pour cette adresse, puis recommencez depuis la page d’où vous venez.',
  ],
  sign_in_expired: [
    'Cette connexion n’est plus valable',
    'Elle a pris trop de temps, a déjà servi, ou a commencé dans un autre navigateur.',
    'Recommencez depuis votre application.',
  ],
  sign_in_failed: [
    'La connexion n’a pas abouti',
    'Vous n’êtes pas connecté.',
    'Recommencez depuis votre application. Si cela se reproduit, signalez-le à votre administrateur.',
  ],
  'sign_in_failed.refused': [
    'Votre organisation ne vous a pas connecté',
    'Sa page de connexion a refusé, ou vous y avez annulé.',
    'Recommencez depuis votre application. Si vous n’avez pas annulé, demandez à votre administrateur si vous ' +
      'pouvez l’utiliser.',
  ],
  'sign_in_failed.unanswered': [
    'La connexion de votre organisation ne répond pas',
    'Nous n’avons pas pu la joindre, ou elle a mis trop de temps à répondre.',
    'Réessayez dans quelques minutes. Si cela continue, signalez-le à votre administrateur.',
  ],
  'sign_in_failed.unacceptable': [
    'La réponse de votre organisation n’a pas pu être acceptée',
    'Sa page de connexion a répondu, mais quelque chose dans la réponse est faux ou manque. Vous n’avez rien ' +
      'fait de mal.',
    'Signalez-le à votre administrateur. Réessayer aide rarement.',
  ],
  'sign_in_failed.outdated': [
    'Veuillez vous connecter encore une fois',
    'Ce que la page de connexion de votre organisation a envoyé appartient à une connexion antérieure, ou qui ' +
      'n’a pas commencé ici.',
    'Recommencez depuis votre application. Si cela se reproduit, déconnectez-vous d’abord auprès de votre ' +
      'organisation.',
  ],
  'sign_in_failed.other_organization': [
    'Vous êtes connecté à une autre organisation',
    'Cette page appartient à une autre organisation que celle à laquelle vous vous êtes connecté.',
    'Déconnectez-vous, puis rouvrez la page et connectez-vous à son organisation.',
  ],
  'sign_in_failed.no_access': [
    'L’autre service n’a pas donné d’accès',
    'Il a répondu, mais quelque chose dans sa réponse est faux ou manque. Rien n’a été relié.',
    'Rouvrez la page. Si cela se reproduit, signalez-le à votre administrateur.',
  ],
  'sign_in_failed.nothing_granted': [
    'L’autre service n’a donné accès à rien',
    'Il n’a rien accordé de ce qui était demandé. Rien n’a été relié.',
    'Rouvrez la page et autorisez-y ce qui doit être fait pour vous.',
  ],
  'sign_in_failed.too_much_granted': [
    'L’autre service a donné trop d’accès',
    'Il a donné plus que ce que vous avez accepté. Rien n’a été relié.',
    'Signalez-le à votre administrateur.',
  ],
  sign_out_refused: [
    'La déconnexion n’a pas abouti',
    'Ce que la page de connexion de votre organisation en dit n’a pas pu être vérifié. Vous êtes peut-être ' +
      'encore connecté.',
    'Déconnectez-vous dans votre application.',
  ],
  scope_unknown: [
    'Cet accès n’existe pas',
    'Le formulaire demande un accès qui n’est pas proposé, ou ne l’est plus.',
    'Rouvrez la page et choisissez parmi ce qu’elle montre.',
  ],
  installation_state: [
    'Ceci ne peut pas être relié maintenant',
    'Un administrateur a changé quelque chose entre-temps.',
    'Adressez-vous à un administrateur de votre organisation.',
  ],
  consent_expired: [
    'Cette demande n’est plus valable',
    'Elle a déjà reçu une réponse, a pris trop de temps, ou a été retirée.',
    'Rouvrez sa page. Si elle n’est plus valable non plus, demandez à un administrateur de recommencer.',
  ],
  csrf_mismatch: [
    'Le formulaire n’est plus à jour',
    'Il n’a pas été ouvert dans ce navigateur, ou vous vous êtes connecté ou déconnecté depuis.',
    'Rouvrez la page et refaites ce que vous avez fait.',
  ],
};
